"""Head office's event log in Apache Kafka: for many stores, and for several sync services beside each other."""
