std = "lua54"
max_line_length = 120
files["tests/**"] = { std = "+busted" }
files["types/**"] = { unused = false, max_line_length = false }
exclude_files = { "build/**" }
