import type { CorsOptions } from '../../src/edge/api/cors.ts'

export const NO_CORS: CorsOptions = {
  allowedOrigins: [],
  allowCredentials: true,
  exposeHeaders: [],
  allowMethods: [],
  allowHeaders: [],
  maxAgeS: 0,
}
