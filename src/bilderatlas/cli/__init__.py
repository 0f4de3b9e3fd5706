"""The command line: parse, call the api, render. One file a noun."""
