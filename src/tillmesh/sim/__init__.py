"""A whole store under virtual time: real tills and real databases, simulated clocks, links, disks and people."""
