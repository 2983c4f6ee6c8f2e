/** One line for the person who starts the service; nothing of a stack. */
export class ConfigError extends Error {}
