"""`python -m bilderatlas` is the command line."""

from bilderatlas.cli.main import main

if __name__ == "__main__":
    main()
