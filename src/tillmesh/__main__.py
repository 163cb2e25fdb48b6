"""``python -m tillmesh``."""

from tillmesh.cli import main

main()
