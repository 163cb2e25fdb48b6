"""The shop itself: products, carts, prices, taxes, tenders, receipts, shifts and stock as pure functions."""
