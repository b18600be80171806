# What people read.

# typos.toml names what is not looked at, and the words that are right all the same.
step spelling "Names, comments and documents are spelt right"
check_spelling() {
  python_tool typos
  typos
}
