//! Protocols that are broken in one place each. Every one must be caught.

use super::{
    invariants::{self as broken, Name},
    views::{self, View},
};

/// What is broken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutant {
    /// The guess is compared on a plain read, and counted after that.
    CountAfterCompare,
    /// The passcode is read, then deleted without a condition.
    ReadThenDelete,
    /// A mail is sent before its claim is written.
    MailBeforeClaim,
    /// Every mail forgets the failures in a row.
    ResendForgetsFailures,
    /// A new code forgets the failures in a row.
    NewCodeForgetsFailures,
    /// A success leaves the failures in a row.
    SuccessKeepsFailures,
    /// The failures in a row are never forgotten after the pause.
    PauseNeverEnds,
    /// A second mail carries a new code though one lives.
    RotateOnResend,
    /// A second mail makes the code live longer.
    ExtendOnResend,
    /// `plan_send` does not look at the lease.
    NoLease,
    /// The lease ends before its holder.
    LeaseTooShort,
    /// The lease outlives its holder.
    LeaseTooLong,
    /// `claim_mail` has no condition on the claim that was read.
    ClaimOverOthers,
    /// `claim_mail` has no condition on the nonce that was read.
    ClaimOfUsedCode,
    /// `claim_mail` takes its own claim, written by an attempt whose reply was lost, for somebody else's.
    OwnClaimUnknown,
    /// `confirm_mail` has no condition.
    ConfirmForOthers,
    /// `release_mail` has no condition.
    ReleaseForOthers,
    /// A mail of unknown outcome is taken out of the count, as a refused one is.
    UnknownIsRefused,
    /// A mail counts from its claim, which may be a timeout earlier than it went out.
    CountFromTheClaim,
    /// `take` has no condition on what is left.
    BudgetWithoutLimit,
    /// `take` does not look for its own claim, written by an attempt whose reply was lost.
    TakesWithoutName,
    /// `give_back` does not look for its own claim, so that a repeated one gives back twice.
    GivesBackWithoutName,
    /// A send whose claim was refused keeps what it took.
    LoserKeepsBudget,
    /// A mail that the provider refused stays taken from the budget.
    RefusedKeepsBudget,
    /// A send mails though the budget is spent.
    MailsWithoutBudget,
    /// A new code keeps the guesses at the last one.
    NewCodeKeepsTried,
    /// A new code keeps the moment of the last one's mail.
    NewCodeKeepsMailedAt,
    /// The cooldown holds also where no code lives.
    CooldownOfDeadCodes,
    /// A code whose last guess was the right one is dead to `plan_send`.
    ExhaustedByTheRightGuess,
    /// A code may be guessed at for ever.
    TriedWithoutLimit,
    /// A customer may be guessed at for ever.
    FailuresWithoutLimit,
    /// A repeated guess is counted again.
    RepeatIsCounted,
    /// A repeated guess is not compared.
    RepeatIsNotCompared,
    /// `plan_send` does not ask which pepper the code is derived with.
    SendUnderAnyPepper,
    /// `count_guess` does not ask which pepper the code is derived with.
    GuessUnderAnyPepper,
    /// A new code leaves the item with the pepper of the former.
    NewCodeKeepsPepper,
    /// `redeem` does not look at the expiry.
    RedeemExpired,
    /// The transaction has no `ClientRequestToken`.
    NoToken,
    /// `plan_send` does not ask whose code the item holds.
    SendToAnyCustomer,
    /// A send whose claim was refused decides anew though the item is now another customer's.
    DecideForErased,
    /// `count_guess` does not ask whose code the item holds.
    GuessAtAnyCustomer,
}

impl Mutant {
    /// Each, with the invariant that it breaks, and where that is found soonest.
    pub const CAUGHT: [(Self, Name, View); 41] = [
        (Self::CountAfterCompare, broken::FEW_COMPARED, views::GUESSES),
        (Self::ReadThenDelete, broken::ONE_REDEMPTION, views::GUESSES),
        (Self::MailBeforeClaim, broken::STORED_FIRST, views::MAILS),
        (Self::ResendForgetsFailures, broken::FEW_IN_A_ROW, views::PAUSE),
        (Self::NewCodeForgetsFailures, broken::FEW_IN_A_ROW, views::PAUSE),
        (Self::SuccessKeepsFailures, broken::PAUSE_HAS_CAUSE, views::PAUSE),
        (Self::PauseNeverEnds, broken::GOES_ON, views::PAUSE),
        (Self::RotateOnResend, broken::NOT_REPLACED, views::MAILS),
        (Self::ExtendOnResend, broken::IN_TIME, views::PAUSE),
        (Self::NoLease, broken::ONE_MAIL, views::MAILS),
        (Self::LeaseTooShort, broken::ONE_MAIL, views::MAILS),
        (Self::LeaseTooLong, broken::SILENCE_HAS_CAUSE, views::MAILS),
        (Self::ClaimOverOthers, broken::ONE_MAIL, views::MAILS),
        (Self::ClaimOfUsedCode, broken::STORED_FIRST, views::RACES),
        (Self::OwnClaimUnknown, broken::OWN_WRITE, views::MAILS),
        (Self::ConfirmForOthers, broken::SILENCE_HAS_CAUSE, views::RACES),
        (Self::ReleaseForOthers, broken::ONE_MAIL, views::MAILS),
        (Self::UnknownIsRefused, broken::MAIL_CAP, views::MAILS),
        (Self::CountFromTheClaim, broken::MAIL_CAP, views::MAILS),
        (Self::BudgetWithoutLimit, broken::BUDGET, views::BUDGET),
        (Self::TakesWithoutName, broken::SPENT_BY_MAILS, views::BUDGET),
        (Self::GivesBackWithoutName, broken::SPENT_BY_MAILS, views::BUDGET),
        (Self::LoserKeepsBudget, broken::SPENT_BY_MAILS, views::BUDGET),
        (Self::RefusedKeepsBudget, broken::SPENT_BY_MAILS, views::BUDGET),
        (Self::MailsWithoutBudget, broken::SPENT_BY_MAILS, views::BUDGET),
        (Self::NewCodeKeepsTried, broken::GOES_ON, views::RACES),
        (Self::NewCodeKeepsMailedAt, broken::SILENCE_HAS_CAUSE, views::RACES),
        (Self::CooldownOfDeadCodes, broken::SILENCE_HAS_CAUSE, views::RACES),
        (Self::ExhaustedByTheRightGuess, broken::RIGHT_STAYS, views::RACES),
        (Self::TriedWithoutLimit, broken::FEW_COMPARED, views::GUESSES),
        (Self::FailuresWithoutLimit, broken::FEW_IN_A_ROW, views::PAUSE),
        (Self::RepeatIsCounted, broken::PAUSE_HAS_CAUSE, views::PAUSE),
        (Self::RepeatIsNotCompared, broken::RIGHT_STAYS, views::GUESSES),
        (Self::SendUnderAnyPepper, broken::GOES_ON, views::ROTATION),
        (Self::GuessUnderAnyPepper, broken::OWN_PEPPER, views::ROTATION),
        (Self::NewCodeKeepsPepper, broken::GOES_ON, views::ROTATION),
        (Self::RedeemExpired, broken::IN_TIME, views::RACES),
        (Self::NoToken, broken::OWN_WRITE, views::GUESSES),
        (Self::SendToAnyCustomer, broken::SILENCE_HAS_CAUSE, views::ERASURE),
        (Self::DecideForErased, broken::NOT_REPLACED, views::ERASURE_AND_SENDS),
        (Self::GuessAtAnyCustomer, broken::OWN_CODE, views::ERASURE),
    ];
}
