--- Work that makes more work: jobs done by a few tasks side by side, the newest first, so that
--- what was begun is finished before more is begun.
local core = require "oras.core"
local crew = require "oras.crew"

---@class oras.Jobs
local Jobs = { __name = "oras.Jobs" }
Jobs.__index = Jobs

local jobs = {}

--- Make a crew of at most so many workers; use it as a `<close>` variable: nothing that it
--- started outlives it.
---@param workers integer
---@return oras.Jobs
function jobs.new(workers)
  return setmetatable({ most = workers, waiting = {}, workers = {}, n = 0 }, Jobs)
end

local function cancel(self, except)
  for slot, worker in pairs(self.workers) do
    if slot ~= except then
      worker:cancel()
    end
  end
end

-- Notices how a worker ends. The first failure is the crew's, and the others are in vain then.
local Watch = {}

function Watch.__close(watch, err)
  local self = watch.jobs
  self.n = self.n - 1
  if watch.well then
    self.workers[watch.slot] = nil
  elseif not self.failed then
    self.failed, self.failure = true, err
    self.waiting = {}
    cancel(self, watch.slot)
  end
end

local function work(self, slot)
  local watch <close> = setmetatable({ jobs = self, slot = slot }, Watch)
  while #self.waiting > 0 do
    table.remove(self.waiting)()
  end
  watch.well = true
end

--- Have a function called by a worker, soon.
---@param job function
function Jobs:add(job)
  if self.failed then
    return
  end
  table.insert(self.waiting, job)
  if self.n < self.most then
    self.n = self.n + 1
    local slot = 1
    while self.workers[slot] do
      slot = slot + 1
    end
    self.workers[slot] = core.task.spawn(work, self, slot)
  end
end

local function snapshot(self)
  local list = {}
  for _, worker in pairs(self.workers) do
    list[#list + 1] = worker
  end
  return list
end

--- Wait until all jobs are done, those too that were made meanwhile.
---@raise any what the first job that failed raised
function Jobs:finish()
  while self.n > 0 and not self.failed do
    core.task.join(snapshot(self))
  end
  if self.failed then
    error(self.failure, 0)
  end
end

-- What the workers raise in their cleanup is not said: why the crew is left is.
function Jobs:__close()
  local list = snapshot(self)
  self.failed = true
  cancel(self)
  for _, worker in ipairs(list) do
    crew.await(worker)
  end
end

return jobs
