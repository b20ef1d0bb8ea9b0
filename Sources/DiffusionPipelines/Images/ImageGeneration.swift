import Diffusion
import DiffusionImages
import DiffusionModels
import TensorCore

/// The steps that make the pictures of a request. Cancelling the task that iterates stops within one step.
public struct ImageGeneration: AsyncSequence, Sendable {
  /// What was asked for.
  public let request: ImageRequest
  /// Legs of each batch.
  let stepCount: Int
  /// Begins the batch of some of the pictures.
  let begin: @Sendable (Range<Int>) -> any RunningTrajectory
  /// Pictures of samples or of estimates; the flag says whether they are finished.
  let render: @Sendable (Tensor, Bool) -> [Image]

  /// One step of one batch.
  public struct Element: Sendable {
    /// Which pictures of the request the batch has.
    public let pictures: Range<Int>
    /// The samples, `[batch, height, width, channels]`: pixels, or latents.
    public let x: Tensor
    /// What they look like becoming, of the same shape.
    public let denoised: Tensor
    /// Which step of the batch this was, from 0.
    public let step: Int
    /// Whether it was the batch's last: ``x`` are finished pictures.
    public let finishesBatch: Bool
    /// Steps made so far over all batches, and in all; of a sampler that chooses its own steps, legs of its plan, the one
    /// under way among them.
    public let stepsDone: Int, stepCount: Int
    fileprivate let render: @Sendable (Tensor, Bool) -> [Image]

    /// The finished pictures, or a preview of them.
    public var images: [Image] { render(finishesBatch ? x : denoised, finishesBatch) }
  }

  /// Starts from the first picture.
  public func makeAsyncIterator() -> Iterator { Iterator(self) }

  /// Makes the steps one by one.
  public struct Iterator: AsyncIteratorProtocol {
    private let generation: ImageGeneration
    private var batches: [Range<Int>]
    private var pictures = 0..<0
    private var stepsDone = 0
    private var running: (any RunningTrajectory)?

    init(_ generation: ImageGeneration) {
      self.generation = generation
      let request = generation.request
      batches = stride(from: 0, to: request.count, by: request.batchSize).reversed().map {
        $0..<Swift.min($0 + request.batchSize, request.count)
      }
    }

    /// Makes the next step; `nil` when all pictures are finished.
    public mutating func next(
      isolation actor: isolated (any Actor)?
    ) async throws(PipelineError) -> Element? {
      if running == nil {
        guard let next = batches.popLast() else { return nil }
        pictures = next
        running = generation.begin(next)
      }
      guard let made = try running?.advance() else { return nil }
      if made.isLast { running = nil }
      defer { if made.finishesLeg { stepsDone += 1 } }
      let request = generation.request
      return Element(
        pictures: pictures, x: made.x, denoised: made.denoised, step: made.index,
        finishesBatch: made.isLast, stepsDone: stepsDone + 1,
        stepCount: generation.stepCount
          * ((request.count + request.batchSize - 1) / request.batchSize),
        render: generation.render)
    }
  }
}

/// A trajectory whose solver and denoiser are of no interest.
protocol RunningTrajectory {
  mutating func advance() throws(PipelineError) -> MadeStep?
}

/// A step of a ``RunningTrajectory``.
struct MadeStep {
  let index: Int
  let x: Tensor
  let denoised: Tensor
  let isLast: Bool
  /// Whether its leg is gone: a sampler that chooses its own steps makes several in one.
  let finishesLeg: Bool
}

extension Trajectory: RunningTrajectory where D.Failure == Never {
  mutating func advance() throws(PipelineError) -> MadeStep? {
    do throws(TrajectoryError<Never>) {
      guard let step = try next() else { return nil }
      return MadeStep(
        index: step.index, x: step.x, denoised: step.denoised, isLast: isDone,
        finishesLeg: snapshot.stepsDone > step.index)
    } catch {
      switch error {
      case .nonFinite: throw .nonFinite(error.description)
      case .cancelled(let step): throw .cancelled(step: step)
      }
    }
  }
}

extension ProcessConfiguration {
  /// What a run over a plan starts from: standard normal noise, of the deviation that the model's scheduler gives it.
  func start(from drawn: Tensor, of plan: SamplingPlan) -> Tensor {
    let deviation = initialDeviation(at: plan.start)
    return deviation == 1 ? drawn : drawn * deviation
  }
}

extension PixelModel {
  /// The trajectory of one batch of a request.
  func trajectory(
    of request: ImageRequest, pictures: Range<Int>, sampler: Sampler, plan: SamplingPlan
  ) -> any RunningTrajectory {
    let classes = Array(request.classes[pictures])
    // The scale must not depend on the other pictures' classes: their company would then show in the last bits.
    let guided = ClassifierFreeGuidance(
      denoiser(deepInterval: request.deepInterval), towards: classes,
      awayFrom: classes.map { _ in nil },
      scale: classCount == 0 ? 1 : request.guidance)
    let bounded = Thresholded(
      guided, configuration.process.threshold, keepsDirection: sampler.keepsDirection)
    var noise = SeededNoise(request.generator, seeds: pictures.map(request.seed(of:)))
    let start = configuration.process.start(
      from: noise.initial(shape(count: pictures.count), dtype: .float32), of: plan)
    func trajectory(_ solver: some Solver) -> any RunningTrajectory {
      Trajectory(from: start, plan: plan, solver: solver, denoiser: bounded, noise: noise)
    }
    return trajectory(sampler.solver)
  }

  /// Samples `[count, height, width, channels]` as 8-bit pictures: -1 is 0, 1 is 255, what lies beyond is cut off there.
  public static func images(of samples: Tensor) -> [Image] {
    let (height, width, channels) = (samples.shape[1], samples.shape[2], samples.shape[3])
    let size = height * width * channels
    let values = samples.floats
    return (0..<samples.shape[0]).map { index in
      let bytes = values[index * size..<(index + 1) * size].map { value in
        UInt8(Swift.max(0, Swift.min(255, ((value + 1) * 127.5).rounded())))
      }
      return Image(width: width, height: height, channels: channels, samples: bytes)
    }
  }
}
