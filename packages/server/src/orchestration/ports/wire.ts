/** The wire contract's types under one roof, so that the rest of the server names them without the package path. */
export type * from '@zund/contract/link/container.ts'
export type * from '@zund/contract/link/messages.ts'
