import Diffusion
import DiffusionModels
import Foundation
import TensorCore

/// How the likelihood of pictures is measured.
public enum ImageLikelihood: Sendable, Hashable {
  /// By the probability-flow ODE, of pictures with uniform noise within each pixel's bin; see ``FlowLikelihood``.
  case flow(DivergenceEstimate, tolerance: Double)
  /// By the variational bound of the chain; see ``VariationalBound``.
  case bound

  /// What was found for one picture.
  public struct Value: Sendable, Hashable, Codable {
    /// Bits a dimension.
    public let bitsPerDimension: Double
    /// Its standard error by the scatter of the probes; `nil` where there are fewer than two.
    public let standardError: Double?
    /// How often the network was asked.
    public let evaluations: Int
  }
}

extension PixelModel {
  /// The likelihood of 8-bit pictures, `[count, height, width, channels]` of values `2 k / 255 - 1`.
  ///
  /// - Parameters:
  ///   - classes: one a picture; `nil` for none.
  ///   - seeds: one a picture; what is found for it depends on nothing else.
  /// - Throws: ``PipelineError/likelihood(_:)`` where the network's answers are of no use or the tolerance is not reached.
  public func likelihood(
    of pictures: Tensor, classes: [Int?], seeds: [UInt64], by method: ImageLikelihood
  ) throws(PipelineError) -> [ImageLikelihood.Value] {
    require(
      pictures.shape == shape(count: classes.count) && seeds.count == classes.count, "likelihood",
      "pictures \(pictures.shape), \(classes.count) classes and \(seeds.count) seeds: expected "
        + "\(shape(count: classes.count)) and one of each a picture")
    switch method {
    case .flow(let divergence, let tolerance):
      return try flowLikelihood(
        pictures, classes, seeds,
        FlowLikelihood(forward, divergence: divergence, tolerance: tolerance))
    case .bound:
      guard let chain else {
        throw .likelihood("the bound is of a chain of steps, and the model's process is continuous")
      }
      let denoiser = Thresholded(
        Conditioned(denoiser, conditions: classes), configuration.process.threshold)
      var noise = IntervalNoise(seeds: seeds)
      return VariationalBound(chain, variance: configuration.process.variance)
        .evaluate(pictures, with: denoiser, noise: &noise).total.map {
          ImageLikelihood.Value(
            bitsPerDimension: $0, standardError: nil, evaluations: chain.count)
        }
    }
  }

  private func flowLikelihood(
    _ pictures: Tensor, _ classes: [Int?], _ seeds: [UInt64],
    _ likelihood: FlowLikelihood<AnyProcess>
  ) throws(PipelineError) -> [ImageLikelihood.Value] {
    let (grid, dimension) = (PixelGrid(), pictures.count / classes.count)
    do throws(LikelihoodError<Never>) {
      return try likelihood.logDensity(
        of: grid.dequantized(pictures, seeds: seeds), with: denoiser, given: classes, seeds: seeds
      ).map { density in
        ImageLikelihood.Value(
          bitsPerDimension: grid.bitsPerDimension(density.value, dimension: dimension),
          standardError: density.standardError.map { $0 / (Double(dimension) * log(2)) },
          evaluations: density.evaluations)
      }
    } catch {
      throw .likelihood(error.description)
    }
  }
}
