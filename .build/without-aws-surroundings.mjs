// The S3 client gets its key and region from us. What the AWS SDK would look for around it (variables,
// ~/.aws, single sign-on, processes, instance metadata) is left out: this program runs as root, and
// nothing of that is meant for it.

/** What stands in the place of a file; each must be met, or the SDK has changed. */
const replaced = [
  [
    /@aws-sdk[\\/]credential-provider-node[\\/]dist-es[\\/]index\.js$/,
    'export const defaultProvider = () => async () => { throw new Error("No AWS credentials are looked for.") }',
  ],
  [
    /@smithy[\\/]core[\\/]dist-es[\\/]submodules[\\/]config[\\/]node-config-provider[\\/]configLoader\.js$/,
    `import { memoize } from "../property-provider/memoize"
     import { fromStatic } from "./fromStatic"
     export const loadConfig = ({ default: value }) => memoize(fromStatic(value))`,
  ],
  [
    /@smithy[\\/]core[\\/]dist-es[\\/]submodules[\\/]config[\\/]defaults-mode[\\/]resolveDefaultsModeConfig\.js$/,
    'export const resolveDefaultsModeConfig = () => async () => "legacy"',
  ],
  [
    /@aws-sdk[\\/]core[\\/]dist-es[\\/]submodules[\\/]client[\\/]middleware-recursion-detection[\\/]recursionDetectionMiddleware\.js$/,
    'export const recursionDetectionMiddleware = () => (next) => (args) => next(args)',
  ],
  [
    /@aws-sdk[\\/]core[\\/]dist-es[\\/]submodules[\\/]client[\\/]emitWarningIfUnsupportedVersion\.js$/,
    'export const state = { warningEmitted: true }; export const emitWarningIfUnsupportedVersion = () => {}',
  ],
]

/** An esbuild plugin. The build fails when a file that it replaces is not there any more. */
export function withoutAwsSurroundings() {
  return {
    name: 'without-aws-surroundings',
    setup(build) {
      const met = new Set()
      for (const [filter, contents] of replaced) {
        build.onLoad({ filter }, () => {
          met.add(filter)
          return { contents, loader: 'js' }
        })
      }
      build.onEnd(() => {
        const missed = replaced.filter(([filter]) => !met.has(filter)).map(([filter]) => filter)
        if (missed.length > 0)
          throw new Error(`The AWS SDK has changed: no file ${missed.join(', ')}`)
      })
    },
  }
}
