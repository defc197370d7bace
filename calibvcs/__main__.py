"""Start the command line."""

from calibvcs.cli.app import main

main()
