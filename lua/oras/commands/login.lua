--- oras-lua login: ask a registry whether it takes credentials, and keep them.
local command = require "oras.cli.command"
local core = require "oras.core"
local errors = require "oras.error"

local function prompt(text, hidden)
  local answer, err = core.terminal.prompt(text, { hidden = hidden })
  if not answer then
    if err.class == "io" and not err.message:find "gave no answer" then
      errors.usage "nobody is there to be asked; --username and --password-stdin say who we are"
    end
    errors.raise(err)
  end
  return answer
end

local function filled(text, what)
  if text == "" then
    errors.usage("an empty %s: nothing was changed", what)
  end
  return text
end

-- As oras: without a user's name the secret is an identity token; what is not given is asked for.
local function ask(user, password)
  if not user and not password then
    user = prompt "Username: "
  end
  if user and user ~= "" then
    return user, filled(password or prompt("Password: ", true), "password")
  end
  return nil, nil, filled(password or prompt("Token: ", true), "token")
end

local function run(registry, words, opts)
  local user, password, token = command.secrets(opts)
  if not token then
    user, password, token = ask(user, password)
  end
  local result = registry:login { hostname = words[1], username = user, password = password, identity_token = token }
  return {
    text = "Login Succeeded\n",
    document = { registry = result.hostname, username = result.username },
  }
end

return command.new {
  name = "login",
  usage = "REGISTRY",
  about = "Ask a registry whether it takes a user's credentials, and keep them. "
    .. "Without a user's name, the password is an identity token. What is not given is asked for.",
  example = "oras-lua login -u alice --password-stdin localhost:5000",
  least = 1,
  most = 1,
  credentials = false,
  references = {},
  run = run,
}
