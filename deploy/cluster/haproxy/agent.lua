-- The weight of this haproxy, for lvsd's check of the kind agent: how many per cent of the weights of the application
-- servers it can reach. A haproxy that reaches fewer of them than another one gets fewer clients.
-- With none at all it says "up" and no weight: whether the server lives is told by /health.

local BACKEND = 'application'

core.register_service('agent', 'tcp', function(applet)
    local all, up = 0, 0
    for _, server in pairs(core.backends[BACKEND].servers) do
        local stats = server:get_stats()
        local weight = tonumber(stats.weight) or 0
        all = all + weight
        if stats.status:find('^UP') or stats.status == 'no check' then up = up + weight end
    end
    applet:send(up == 0 and 'up\n' or string.format('%d%%\n', math.ceil(100 * up / all)))
end)
