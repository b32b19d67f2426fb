/** Versions of formats that commands print too. They increase when a field changes its meaning or is removed. */

export const WHY_SCHEMA = 1
export const ROLE_SCHEMA = 1
export const HEALTH_SCHEMA = 1
