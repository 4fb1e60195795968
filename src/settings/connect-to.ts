import * as z from 'zod'
import { parseConnectTo } from '../core/connect-to.ts'

/** `HOST:PORT:ADDR:PORT` texts → routes. */
export const connectTo = z.array(
  z.string().transform((text, context) => {
    const route = parseConnectTo(text)
    if (route) return route
    const message = `"${text}" is not HOST:PORT:ADDR:PORT, such as ::127.0.0.1:8443`
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  }),
)
