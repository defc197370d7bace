"""The command line: parse, call one function, show its result. The only place that prints, asks and exits."""
