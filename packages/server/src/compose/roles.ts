/** What the service is made of. */
export const ROLES = ['api', 'conductor', 'compute', 'wsproxy'] as const
