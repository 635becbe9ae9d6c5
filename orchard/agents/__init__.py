"""The agent: a program that transcribes for a master, wherever it can reach it over HTTP."""
