"""The door for people: parse a request, call the api, render a page or its JSON twin."""
