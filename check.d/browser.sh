# The pages, in a browser: the partner's site, the mailbox, the reference, and the mail itself.

step browser "The pages do what they should in Chromium, and axe finds nothing; pictures in target/screenshots"
check_browser() {
  node_tool browser
  need_chromium
  rm -rf target/screenshots
  # One file after another: the mailbox is everybody's.
  (
    start_local_system
    READY_FILE=$READY_FILE node --test --test-concurrency=1 --test-reporter=spec check.d/browser/{partner,mailbox,mail,reference,inspector}.test.mjs
  )
  (
    start_local_system --parameter-overrides PasscodeTtlSeconds=3 PasscodeCooldownSeconds=0
    CODE_SECONDS=3 READY_FILE=$READY_FILE node --test --test-reporter=spec check.d/browser/expiry.test.mjs
  )
}

# need_chromium: CHROMIUM names an executable, Debian's package's if there is no other.
need_chromium() {
  CHROMIUM=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)}
  if [[ -z $CHROMIUM ]]; then
    debian_tool chromium
    CHROMIUM=$(command -v chromium)
  fi
  export CHROMIUM
}
