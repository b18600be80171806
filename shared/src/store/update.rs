//! Conditional writes in words: what an update sets and takes away, and what must hold for it.

use std::collections::HashMap;

use aws_sdk_dynamodb::{
    operation::update_item::builders::UpdateItemFluentBuilder,
    types::{
        ReturnValue, ReturnValuesOnConditionCheckFailure,
        builders::{DeleteBuilder, PutBuilder, UpdateBuilder},
    },
};

use super::{Attribute, Item, Key, number};
use crate::Timestamp;

/// What must hold of an item for a write to happen. All of it must.
#[derive(Clone, Debug, Default)]
pub struct Conditions {
    clauses: Vec<String>,
    names: HashMap<String, String>,
    values: Item,
}

impl Conditions {
    /// An attribute has this value.
    #[must_use]
    pub fn equal(mut self, name: &str, value: Attribute) -> Self {
        self.clauses.push(format!("#{name} = :is_{name}"));
        self.values.insert(format!(":is_{name}"), value);
        self.name(name)
    }

    /// An attribute is there.
    #[must_use]
    pub fn exists(mut self, name: &str) -> Self {
        self.clauses.push(format!("attribute_exists(#{name})"));
        self.name(name)
    }

    /// An attribute is not there.
    #[must_use]
    pub fn missing(mut self, name: &str) -> Self {
        self.clauses.push(format!("attribute_not_exists(#{name})"));
        self.name(name)
    }

    /// An attribute is as it was read: it has that value, or is missing still.
    #[must_use]
    pub fn unchanged(self, name: &str, read: Option<Attribute>) -> Self {
        match read {
            Some(value) => self.equal(name, value),
            None => self.missing(name),
        }
    }

    /// A moment is still to come.
    #[must_use]
    pub fn later(mut self, name: &str, now: Timestamp) -> Self {
        self.clauses.push(format!("#{name} > :now"));
        self.values.insert(":now".to_owned(), number(now.as_millis()));
        self.name(name)
    }

    /// A moment that is there is before this one.
    #[must_use]
    pub fn earlier(mut self, name: &str, than: Timestamp) -> Self {
        self.clauses.push(format!("#{name} < :than"));
        self.values.insert(":than".to_owned(), number(than.as_millis()));
        self.name(name)
    }

    /// One of these holds.
    #[must_use]
    pub fn any_of(mut self, alternatives: impl IntoIterator<Item = Self>) -> Self {
        let mut clauses = Vec::new();
        for alternative in alternatives {
            clauses.push(alternative.clauses.join(" AND "));
            self.names.extend(alternative.names);
            self.values.extend(alternative.values);
        }
        self.clauses.push(format!("({})", clauses.join(" OR ")));
        self
    }

    fn name(mut self, name: &str) -> Self {
        self.names.insert(format!("#{name}"), name.to_owned());
        self
    }

    fn expression(&self) -> Option<String> {
        (!self.clauses.is_empty()).then(|| self.clauses.join(" AND "))
    }

    pub(super) fn apply_to(self, delete: DeleteBuilder) -> DeleteBuilder {
        delete
            .set_condition_expression(self.expression())
            .set_expression_attribute_names(given(self.names))
            .set_expression_attribute_values(given(self.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }

    pub(super) fn apply_to_put(self, put: PutBuilder) -> PutBuilder {
        put.set_condition_expression(self.expression())
            .set_expression_attribute_names(given(self.names))
            .set_expression_attribute_values(given(self.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }
}

/// An update of one item. Without a condition it writes whatever is there.
///
/// A refused update tells the item as it is.
#[derive(Clone, Debug)]
pub struct Update {
    pub(super) key: Key,
    set: Vec<String>,
    remove: Vec<String>,
    names: HashMap<String, String>,
    values: Item,
    conditions: Conditions,
    answers_item: bool,
}

impl Update {
    /// An update of the item at this key, which changes nothing yet.
    #[must_use]
    pub fn of(key: &Key) -> Self {
        Self {
            key: key.clone(),
            set: Vec::new(),
            remove: Vec::new(),
            names: HashMap::new(),
            values: Item::new(),
            conditions: Conditions::default(),
            answers_item: false,
        }
    }

    /// Sets an attribute.
    #[must_use]
    pub fn set(mut self, name: &str, value: Attribute) -> Self {
        self.set.push(format!("#{name} = :{name}"));
        self.values.insert(format!(":{name}"), value);
        self.name(name)
    }

    /// Takes an attribute away.
    #[must_use]
    pub fn remove(mut self, name: &str) -> Self {
        self.remove.push(format!("#{name}"));
        self.name(name)
    }

    /// Sets an attribute, or takes it away.
    #[must_use]
    pub fn set_or_remove(self, name: &str, value: Option<Attribute>) -> Self {
        match value {
            Some(value) => self.set(name, value),
            None => self.remove(name),
        }
    }

    /// Only where these hold.
    #[must_use]
    pub fn only_if(mut self, conditions: Conditions) -> Self {
        self.conditions = conditions;
        self
    }

    /// Answers the item as written.
    #[must_use]
    pub const fn answering_item(mut self) -> Self {
        self.answers_item = true;
        self
    }

    /// Whether it would change nothing.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.set.is_empty() && self.remove.is_empty()
    }

    fn name(mut self, name: &str) -> Self {
        self.names.insert(format!("#{name}"), name.to_owned());
        self
    }

    /// `SET … REMOVE …`, with all names and values, the condition's among them.
    fn parts(self) -> Parts {
        let clauses = [("SET", self.set), ("REMOVE", self.remove)].into_iter().filter(|(_, parts)| !parts.is_empty());
        let expression: Vec<_> = clauses.map(|(verb, parts)| format!("{verb} {}", parts.join(", "))).collect();
        let condition = self.conditions.expression();
        let (mut names, mut values) = (self.names, self.values);
        names.extend(self.conditions.names);
        values.extend(self.conditions.values);
        Parts { expression: expression.join(" "), condition, names, values }
    }

    pub(super) fn apply_to_call(self, call: UpdateItemFluentBuilder) -> UpdateItemFluentBuilder {
        let returned = self.answers_item.then_some(ReturnValue::AllNew);
        let parts = self.parts();
        call.update_expression(parts.expression)
            .set_condition_expression(parts.condition)
            .set_expression_attribute_names(given(parts.names))
            .set_expression_attribute_values(given(parts.values))
            .set_return_values(returned)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }

    pub(super) fn apply_to(self, update: UpdateBuilder) -> UpdateBuilder {
        let parts = self.parts();
        update
            .update_expression(parts.expression)
            .set_condition_expression(parts.condition)
            .set_expression_attribute_names(given(parts.names))
            .set_expression_attribute_values(given(parts.values))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
    }
}

/// An update as DynamoDB takes it.
struct Parts {
    expression: String,
    condition: Option<String>,
    names: HashMap<String, String>,
    values: Item,
}

/// DynamoDB refuses empty maps of names and of values.
fn given<V>(map: HashMap<String, V>) -> Option<HashMap<String, V>> {
    (!map.is_empty()).then_some(map)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::{Table, text};

    #[test]
    fn an_update_reads_as_it_was_built() {
        let update = Update::of(&Key::new(Table::Apps, "key", "k"))
            .set("status", text("active"))
            .set_or_remove("country", None)
            .remove("city")
            .only_if(
                Conditions::default()
                    .equal("status", text("suspended"))
                    .missing("zip")
                    .later("expires_at", Timestamp::from_millis(7)),
            );
        let parts = update.parts();
        assert_eq!(parts.expression, "SET #status = :status REMOVE #country, #city");
        assert_eq!(
            parts.condition.unwrap(),
            "#status = :is_status AND attribute_not_exists(#zip) AND #expires_at > :now"
        );
        assert_eq!(parts.values[":is_status"], text("suspended"));
        assert_eq!(parts.values[":status"], text("active"));
        assert_eq!(parts.names.len(), 5);
    }

    #[test]
    fn alternatives_stand_in_parentheses() {
        let one = Conditions::default().missing("a");
        let other = Conditions::default().equal("b", text("x")).exists("c");
        let both = Conditions::default().exists("d").any_of([one, other]);
        assert_eq!(
            both.expression().unwrap(),
            "attribute_exists(#d) AND (attribute_not_exists(#a) OR #b = :is_b AND attribute_exists(#c))"
        );
    }
}
