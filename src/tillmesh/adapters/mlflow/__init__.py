"""The registry of models in MLflow's tables. Nothing here is imported unless ``hub.toml`` asks for it."""
