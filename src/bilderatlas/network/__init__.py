"""The only room that opens an outward socket: safe, bounded, resumable HTTP.

`addresses` says which addresses may be asked, `edge` connects to exactly the address that was
checked, `client` asks one question, `download` fetches a file that may take several tries.
"""
