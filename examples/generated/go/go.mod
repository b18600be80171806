module story

go 1.19

require example.com/atom v0.0.0

replace example.com/atom => ./atom
