"""`python -m echosim` is the command line."""

from echosim.cli import main

if __name__ == "__main__":
    main()
