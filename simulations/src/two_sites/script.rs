//! Executions that a stranger can read.
