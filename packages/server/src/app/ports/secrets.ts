/** Keeps what must be given back as it was, so that the database alone does not tell it. */
export interface Secrets {
  /** `owner` is the record's uuid: what is sealed opens for no other one. */
  seal(text: string, owner: string): string
  /** SystemFault `secrets.unreadable` when the key is missing, or it was not sealed for this owner. */
  open(sealed: string, owner: string): string
  /** False: sealed with a key that is only kept to open what is old. */
  isCurrent(sealed: string): boolean
}
