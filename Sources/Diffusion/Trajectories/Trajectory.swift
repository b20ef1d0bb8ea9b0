import TensorCore

/// The sampling loop, the only one: iterate it with ``next()`` to see every step, or ask for ``last()``.
///
/// A value: a copy goes on by itself. What a half-done one needs to go on is its ``snapshot``, which can be written to disk.
public struct Trajectory<S: Solver, D: Denoiser, N: NoiseSource>: Sendable {
  /// Makes the steps.
  public let solver: S
  /// The legs.
  public let plan: SamplingPlan
  private var evaluator: Evaluator<D>
  private var state: Snapshot

  /// All that is needed to go on from where a trajectory stands, with the same solver, plan and denoiser.
  public struct Snapshot: Codable, Sendable {
    /// The sample.
    public fileprivate(set) var x: Tensor
    /// The last estimate of clean data, which previews show.
    public fileprivate(set) var denoised: Tensor?
    /// How many steps are done.
    public fileprivate(set) var stepsDone: Int
    /// How often the denoiser was asked.
    public fileprivate(set) var evaluations: Int
    fileprivate var solverMemory: S.Memory
    fileprivate var denoiserMemory: D.Memory
    fileprivate var noise: N
  }

  /// What a step made.
  public struct Step: Sendable {
    /// Which step, from 0.
    public let index: Int
    /// How many steps the trajectory has.
    public let count: Int
    /// The leg that was gone.
    public let interval: Interval
    /// The sample at `interval.to`, of shape `[batch, ...]`.
    public let x: Tensor
    /// The estimate of clean data that the step used; after a leg that adds noise (``Interval/Kind/renoised``), the last
    /// one that a step used, or the sample itself where none did.
    public let denoised: Tensor
    /// How often the denoiser was asked so far.
    public let evaluations: Int
    /// The share of the whole trajectory that is gone. A solver that chooses its own steps makes several in a leg: the
    /// sample is then on its way to `interval.to`, and there where this is `(index + 1) / count`.
    public let progress: Double
  }

  /// A trajectory from a sample at the plan's first level.
  ///
  /// - Parameter past: steps that were made before, the latest last, with which a multistep solver begins.
  public init(
    from x: Tensor, plan: SamplingPlan, solver: S, denoiser: D, noise: N,
    after past: [PastStep] = []
  ) {
    self.solver = solver
    self.plan = plan
    evaluator = Evaluator(denoiser)
    state = Snapshot(
      x: x.detached, stepsDone: 0, evaluations: 0, solverMemory: solver.start(after: past),
      denoiserMemory: denoiser.start(), noise: noise)
  }

  /// A trajectory from the source's own initial noise, scaled to the plan's first level (of data whose variance is 1).
  public init(
    shape: [Int], dtype: DType = .float32, plan: SamplingPlan, solver: S, denoiser: D, noise: N
  ) {
    var noise = noise
    let deviation = plan.start.totalVariance.squareRoot()
    let drawn = noise.initial(shape, dtype: dtype)
    let isUnit = abs(deviation - 1) < 1e-12
    self.init(
      from: isUnit ? drawn : drawn * deviation, plan: plan, solver: solver, denoiser: denoiser,
      noise: noise)
  }

  /// The trajectory that a snapshot was taken of, with the same plan, solver and denoiser.
  public init(resuming snapshot: Snapshot, plan: SamplingPlan, solver: S, denoiser: D) {
    self.solver = solver
    self.plan = plan
    evaluator = Evaluator(denoiser)
    evaluator.memory = snapshot.denoiserMemory
    evaluator.count = snapshot.evaluations
    state = snapshot
  }

  /// What is asked for estimates.
  public var denoiser: D { evaluator.denoiser }
  /// Where the trajectory stands.
  public var snapshot: Snapshot { state }
  /// Whether all steps are done.
  public var isDone: Bool { state.stepsDone == plan.count }

  /// Makes the next step; `nil` when all are done.
  ///
  /// Where it throws the trajectory stays before the step: it can be tried again.
  public mutating func next() throws(TrajectoryError<D.Failure>) -> Step? {
    if isDone { return nil }
    let (index, interval) = (state.stepsDone, plan.intervals[state.stepsDone])
    if Task.isCancelled { throw .cancelled(step: index) }
    var (asked, moved) = (evaluator, state)
    let made: (x: Tensor, denoised: Tensor)
    switch interval.kind {
    case .renoised: made = (renoised(over: interval, &moved), state.denoised ?? state.x)
    case .solved:
      do {
        made = try solver.step(
          state.x, over: interval, with: &asked, noise: &moved.noise, memory: &moved.solverMemory)
      } catch {
        throw .denoiser(error, step: index, level: interval.from)
      }
    }
    if !made.denoised.isFinite || !made.x.isFinite {
      throw .nonFinite(step: index, level: interval.from)
    }
    moved.x = made.x.detached
    moved.denoised = made.denoised.detached
    let share = interval.kind == .solved ? solver.progress(moved.solverMemory) : 1
    if share >= 1 { moved.stepsDone += 1 }
    moved.evaluations = asked.count
    moved.denoiserMemory = asked.memory
    (evaluator, state) = (asked, moved)
    return Step(
      index: index, count: plan.count, interval: interval, x: moved.x, denoised: made.denoised,
      evaluations: asked.count, progress: (Double(index) + min(share, 1)) / Double(plan.count))
  }

  /// The forward process over a leg: what a solver remembers of the path before it no longer holds.
  private func renoised(over interval: Interval, _ moved: inout Snapshot) -> Tensor {
    let transition = Transition(from: interval.from, to: interval.to)
    let z = moved.noise.noise(like: state.x, over: interval)
    moved.solverMemory = solver.start()
    return Tensor.linearCombination([
      (transition.scale, state.x), (transition.variance.squareRoot(), z),
    ])
  }

  /// Makes all steps that are left and gives the sample at the end.
  public mutating func last() throws(TrajectoryError<D.Failure>) -> Tensor {
    while try next() != nil {}
    return state.x
  }
}
