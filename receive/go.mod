module github.com/bellwire/bellwire/receive

go 1.24.0
