# Lua files of the library and its providers, compiled into it.
