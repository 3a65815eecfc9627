/** dev: one of each, development login, settings from anywhere. The others are held to what production needs. */
export const PROFILES = ['dev', 'staging', 'production'] as const
export type Profile = (typeof PROFILES)[number]
