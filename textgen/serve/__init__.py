"""Models behind the completions API of OpenAI, for programs that speak it already."""
