module github.com/bellwire/bellwire/client

go 1.24.0
