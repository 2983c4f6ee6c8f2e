import { wholeArgument, wordsArgument } from '../../fields/arguments.ts'
import { CONTAINER_STATUSES } from '../container.ts'

/** Seconds. Clients, and proxies between, give up a request after a minute. */
export const LONGEST_WAIT_S = 50
export const USUAL_WAIT_S = 30

/** Header of an answer that was waited for: `reached`, `never` or `timeout`. */
export const WAIT_HEADER = 'X-Zund-Wait'

export const WAIT_HEADERS = { [WAIT_HEADER]: 'With `wait`: `reached`, `never` (it is in Error for good) or `timeout`.' }

export const WAIT_FIELDS = {
  wait: wordsArgument(CONTAINER_STATUSES, {
    about: 'Answer when the status is one of these; of `Deleted`, when it is gone (204). docs/api/events.md says more.',
  }),
  timeout: wholeArgument(
    { min: 0, max: LONGEST_WAIT_S },
    { about: `With \`wait\`: seconds; absent: ${USUAL_WAIT_S}. Then it answers as it is.` },
  ),
}
