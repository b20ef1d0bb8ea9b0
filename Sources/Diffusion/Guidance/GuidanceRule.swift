import TensorCore

/// How a strong and a weak estimate make a guided one: the one rule behind classifier-free guidance (conditional and
/// unconditional, ``ClassifierFreeGuidance``) and autoguidance (a good and a worse model, ``AutoGuidance``). What the
/// papers added to it can be combined.
///
/// `D = D_weak + scale (D_strong - D_weak)` (Ho and Salimans 2022, equation 6), the same in epsilon, v and score.
public struct GuidanceRule: Sendable, Hashable {
  /// How far to go: 0 is the weak estimate, 1 the strong one, more goes beyond. (Ho and Salimans count from 0: their w is
  /// `scale - 1`.) In CFG++ it is lambda and lies in 0...1.
  public var scale: Double
  /// The ratios of noise to signal (EDM's sigma) at which guidance acts; at others the strong estimate is taken as it is
  /// and the weak one is not computed (Kynkäänniemi et al. 2024, section 3). `nil` is everywhere.
  public var interval: ClosedRange<Double>?
  /// Adaptive projected guidance; `nil` where the difference is taken as it is.
  public var projection: GuidanceProjection?
  /// Brings the guided estimate's spread back to the strong one's; `nil` where it is left.
  public var rescale: GuidanceRescale?
  /// Whether the noise to go on along is read off the weak estimate: CFG++ (Chung et al. 2024, algorithm 2).
  public var keepsWeakDirection: Bool

  /// A rule.
  public init(
    scale: Double, interval: ClosedRange<Double>? = nil, projection: GuidanceProjection? = nil,
    rescale: GuidanceRescale? = nil, keepsWeakDirection: Bool = false
  ) {
    self.scale = scale
    self.interval = interval
    self.projection = projection
    self.rescale = rescale
    self.keepsWeakDirection = keepsWeakDirection
  }

  /// Whether the weak estimate is asked for at a level. CFG++ needs its direction even at scale 1.
  public func isActive(at level: NoiseLevel) -> Bool {
    (scale != 1 || keepsWeakDirection) && interval?.contains(level.ratio) ?? true
  }
}

/// Adaptive projected guidance (Sadat et al. 2024, section 5 and algorithm 1), on the estimates of clean data. Norms and
/// products are each sample's own.
///
/// With difference `d = D_strong - D_weak`: momentum `m' = d + momentum m`; its norm is cut at `largestNorm`; its part
/// along `D_strong`, which is what saturates pictures, is multiplied by `parallel`; and
/// `D = D_strong + (scale - 1) (what remains)`.
public struct GuidanceProjection: Sendable, Hashable {
  /// What the part along the strong estimate is multiplied by (the paper's eta): 1 keeps it, 0 takes it away.
  public var parallel: Double
  /// The greatest norm of the difference over one sample (r); `nil` is no bound.
  public var largestNorm: Double?
  /// The share of the last step's difference that is added (beta); below 0 steps lean away from the last one.
  public var momentum: Double

  /// A projection; the defaults take the parallel part away and do nothing else.
  public init(parallel: Double = 0, largestNorm: Double? = nil, momentum: Double = 0) {
    self.parallel = parallel
    self.largestNorm = largestNorm
    self.momentum = momentum
  }
}

/// Rescaled guidance (Lin et al. 2023, section 3.4, equations 14 to 16): the guided answer gets back the strong one's
/// standard deviation over each sample, by a share.
public struct GuidanceRescale: Sendable, Hashable {
  /// How much of the rescaled answer is taken (phi); 0.7 in the paper.
  public var share: Double
  /// The quantity whose spread is kept. The paper's model answers with v; diffusers takes the network's own, whatever it
  /// is.
  public var quantity: Parameterization

  /// A rescaling.
  public init(share: Double = 0.7, of quantity: Parameterization = .velocity) {
    self.share = share
    self.quantity = quantity
  }
}

/// What guidance carries from one evaluation to the next.
public struct GuidanceMemory: Sendable, Codable {
  /// The running difference of adaptive projected guidance, `[batch, ...]`; `nil` before the first one.
  public internal(set) var difference: Tensor?

  /// Nothing yet.
  public init() {}
}
