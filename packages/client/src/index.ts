/** Typed client of the Containers API. See the README of this package. */
export { applicationCredential, passwordLogin, withToken, type Auth, type Session } from './auth.ts'
export { connect, type Client, type ConnectOptions } from './client.ts'
export { ApiError, ConnectionError } from './errors.ts'
export type { CallOptions, Input, Method, Output } from './call.ts'
export { each, pages } from './pages.ts'
