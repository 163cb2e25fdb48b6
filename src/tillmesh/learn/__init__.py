"""How the models that a till runs are made, judged and signed. A till never imports it."""
