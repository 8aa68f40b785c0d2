"""Between the pure flows and Qt: lanes of work, and stages. Never knows what a job does."""
