/** dev: one of each, development login, settings from anywhere. Everything else is held to what production needs. */
export const PROFILES = ['dev', 'production'] as const
export type Profile = (typeof PROFILES)[number]
