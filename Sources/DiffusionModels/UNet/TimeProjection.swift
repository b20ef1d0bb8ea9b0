import Foundation
import TensorCore
import TensorLayers

/// Timesteps as vectors: sines and cosines, or rows of a table.
///
/// The angles are rounded to float32 at every step as the reference's are, so that the vectors agree to the last
/// places even for timesteps near 1,000.
public struct TimeProjection: Module {
  /// The frequencies `[width]` of the Fourier kind, the table `[timesteps, width]` of the learned kind.
  var weight: Tensor?
  private let kind: TimeEmbeddingKind
  private let channels: Int
  private let flipSinToCos: Bool
  private let freqShift: Double

  /// The projection that `configuration` describes.
  public init(_ configuration: UNetConfiguration, initializer: inout ParameterInitializer) {
    kind = configuration.timeEmbeddingType
    channels = configuration.blockOutChannels.first ?? 0
    flipSinToCos = configuration.flipSinToCos
    freqShift = configuration.freqShift
    switch kind {
    case .positional: weight = nil
    case .fourier:
      // The reference draws its frequencies twice and keeps the second draw.
      _ = initializer.normal([channels], deviation: 16)
      weight = initializer.normal([channels], deviation: 16)
    case .learned:
      weight = initializer.normal([configuration.numTrainTimesteps ?? 0, channels])
    }
  }

  /// Sines and cosines of `channels / 2` fixed frequencies.
  init(positional channels: Int, flipSinToCos: Bool, freqShift: Double) {
    kind = .positional
    weight = nil
    (self.channels, self.flipSinToCos, self.freqShift) = (channels, flipSinToCos, freqShift)
  }

  /// The length of a vector.
  var width: Int { kind == .fourier ? 2 * channels : channels }

  /// The vectors of `timesteps`, `[timesteps.count, width]`.
  public func callAsFunction(_ timesteps: [Double], dtype: DType) -> Tensor {
    switch kind {
    case .positional: sinusoids(timesteps, positionalFrequencies(), dtype)
    case .fourier: sinusoids(timesteps.map { log($0) }, fourierFrequencies(), dtype)
    case .learned: (weight ?? .zeros([0, width])).embedding(timesteps.map { Int($0) })
    }
  }

  /// `10000^(-i / (half - shift))` for each of the `half` frequencies.
  private func positionalFrequencies() -> [(Float) -> Float] {
    let half = channels / 2
    return (0..<half).map { index in
      let exponent = Float(-log(10000.0)) * Float(index) / Float(Double(half) - freqShift)
      let frequency = Float(exp(Double(exponent)))
      return { $0 * frequency }
    }
  }

  private func fourierFrequencies() -> [(Float) -> Float] {
    (weight?.floats ?? []).map { frequency in { $0 * frequency * 2 * Float.pi } }
  }

  private func sinusoids(
    _ times: [Double], _ angles: [(Float) -> Float], _ dtype: DType
  ) -> Tensor {
    let cosinesFirst = flipSinToCos && kind == .positional
    let values = times.flatMap { time -> [Float] in
      let angles = angles.map { Double($0(Float(time))) }
      let (sines, cosines) = (angles.map { Float(sin($0)) }, angles.map { Float(cos($0)) })
      let pairs = cosinesFirst ? cosines + sines : sines + cosines
      return pairs + [Float](repeating: 0, count: width - pairs.count)
    }
    return Tensor(values, shape: [times.count, width]).converted(to: dtype)
  }

  /// `weight`, where the kind has one; that of the Fourier kind is not trained.
  public mutating func listParameters<Visitor: ParameterVisitor>(
    to list: inout ParameterList<Visitor>
  ) throws(Visitor.Failure) {
    let layout = kind == .learned ? ParameterLayout.embedding : .vector
    try list.parameter("weight", &weight, layout, isTrainable: kind == .learned)
  }
}
