import * as z from 'zod'

/** curl's `--connect-to HOST:PORT:ADDR:PORT`; HOST and the first PORT may be empty (= any). */
export const connectTo = z.array(
  z
    .string()
    .refine((value) => /^([^:[\]]*|\[[^\]]+\]):\d*:([^:[\]]+|\[[^\]]+\]):\d+$/.test(value), {
      error: ({ input }) =>
        `"${String(input)}" is not HOST:PORT:ADDR:PORT, such as ::127.0.0.1:8443`,
    }),
)
