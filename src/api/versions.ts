/**
 * Versions of formats that commands and the director write, too. They increase when a field changes its meaning or is removed. Here they
 * are known without the types of the API, which the first request loads.
 */

export const WHY_SCHEMA = 1
export const ROLE_SCHEMA = 1
export const HEALTH_SCHEMA = 1
export const STATUS_SCHEMA = 2
export const OVERVIEW_SCHEMA = 1
export const DOCTOR_SCHEMA = 1
/** Of the document that webhooks and commands of `alerts:` get. */
export const ALERT_SCHEMA = 1
