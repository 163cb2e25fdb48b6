"""What a terminal does: commands in, events and effects out; the disk and the wire behind ports."""
