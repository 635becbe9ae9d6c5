"""Every operation of the API as a value; functions bear the names of the API document."""
