"""What tills do on the shop's network: find each other, pair, prove who they are, exchange frames."""
