import DiffusionImages
import DiffusionModels
import Foundation
import TensorCore

/// A linear map from a latent's channels to red, green and blue: previews of unfinished latents, an autoencoder's reduction smaller
/// and some thousand times cheaper than decoding them.
///
/// Fitted by least squares on what that very autoencoder makes of a few drawn pictures.
public struct LatentPreview: Sendable, Codable, Hashable {
  /// `[latent channels + 1][3]`: what each channel of the U-Net's latents adds to a colour from -1 to 1, and what is there without.
  public let weights: [[Double]]
  /// What tells the autoencoder from others: colours that it decodes a fixed latent to.
  let probe: [Double]

  /// The map of an autoencoder.
  ///
  /// - Parameter pictures: what it is fitted on, each `[1, height, width, 3]` from -1 to 1; `nil` for drawn ones that have many
  ///   colours beside each other.
  /// - Throws: ``LinearAlgebraError`` where the fit does not converge.
  public init(
    fitting autoencoder: KLAutoencoder, on pictures: [Tensor]? = nil
  ) throws(LinearAlgebraError) {
    let unit = autoencoder.configuration.reduction
    let latents = (pictures ?? Self.patterns(side: 16 * unit)).map { picture in
      autoencoder.encode(picture).mean
    }
    let (inputs, colours) = Self.pairs(latents, of: autoencoder)
    let fit = try inputs.leastSquares(colours)
    let values = fit.solution.doubles
    weights = stride(from: 0, to: values.count, by: 3).map { Array(values[$0..<$0 + 3]) }
    probe = Self.probe(autoencoder)
  }

  /// Rows of a latent's channels, as the U-Net has them, with a 1 behind them, and the mean colours of what each is decoded to.
  private static func pairs(
    _ latents: [Tensor], of autoencoder: KLAutoencoder
  ) -> (inputs: Tensor, colours: Tensor) {
    let unit = autoencoder.configuration.reduction
    let rows = latents.map { latent -> (Tensor, Tensor) in
      let decoded = autoencoder.decode(latent).clamped(-1, 1)
      let (height, width) = (latent.shape[1], latent.shape[2])
      let means = decoded.reshaped([height, unit, width, unit, 3]).mean(axes: [1, 3])
      let scaled = autoencoder.scaled(latent).reshaped([height * width, -1])
      let ones = Tensor.ones([height * width, 1])
      return (Tensor.concatenated([scaled, ones], axis: 1), means.reshaped([height * width, 3]))
    }
    return (
      Tensor.concatenated(rows.map(\.0), axis: 0).converted(to: .float64),
      Tensor.concatenated(rows.map(\.1), axis: 0).converted(to: .float64)
    )
  }

  /// Pictures `[1, side, side, 3]` that have every colour next to every other: slow waves, of another phase and length for each
  /// colour and picture, with discs of plain colours on them.
  private static func patterns(side: Int) -> [Tensor] {
    (0..<4).map { number in
      let waves = (0..<3).map { colour -> (Double, Double, Double) in
        let place = Double(3 * number + colour)
        return (sin(2.4 * place) * 9, cos(3.9 * place) * 9, 1.7 * place)
      }
      var values: [Float] = []
      for index in 0..<side * side {
        let (x, y) = (
          Double(index % side) / Double(side), Double(index / side) / Double(side)
        )
        let column = Int(x * 4), row = Int(y * 4)
        let isDisc = hypot(x * 4 - Double(column) - 0.5, y * 4 - Double(row) - 0.5) < 0.35
        for (colour, wave) in waves.enumerated() {
          let disc = Double((row * 4 + column + 5 * number) >> colour & 1) * 2 - 1
          values.append(Float(isDisc ? disc : sin(wave.0 * x + wave.1 * y + wave.2)))
        }
      }
      return Tensor(values, shape: [1, side, side, 3])
    }
  }

  private static func probe(_ autoencoder: KLAutoencoder) -> [Double] {
    let channels = autoencoder.configuration.latentChannels
    let latent = Tensor(
      (0..<4 * channels).map { Float(sin(Double($0))) }, shape: [1, 2, 2, channels])
    return autoencoder.decode(latent).mean(axes: [1, 2]).doubles
  }

  /// Pictures of the U-Net's latents `[batch, height, width, channels]`, a pixel each.
  public func images(of latents: Tensor) -> [Image] {
    let count = weights.count - 1
    require(
      latents.rank == 4 && latents.shape[3] == count, "preview",
      "latents are [batch, height, width, \(count)], got \(latents.shape)")
    let map = Tensor(weights.dropLast().flatMap(\.self), shape: [count, 3])
    let colours =
      latents.converted(to: .float64).reshaped([-1, count]).matmul(map)
      + Tensor(weights[count], shape: [1, 3])
    return PixelModel.images(of: colours.reshaped(Array(latents.shape.dropLast()) + [3]))
  }
}

// MARK: - Kept between runs

extension LatentPreview {
  /// The map of an autoencoder that was fitted before, else fitted now and kept: beside the model where that can be written to, else
  /// in the user's cache folder.
  ///
  /// - Parameter model: the model's file or folder.
  public static func kept(
    for autoencoder: KLAutoencoder, beside model: String
  ) throws(LinearAlgebraError) -> LatentPreview {
    let places = places(beside: model)
    let probe = probe(autoencoder)
    for place in places {
      if let data = try? Data(contentsOf: place),
        let found = try? JSONDecoder().decode(LatentPreview.self, from: data),
        found.isOf(probe)
      {
        return found
      }
    }
    let fitted = try LatentPreview(fitting: autoencoder)
    guard let data = try? JSONEncoder().encode(fitted) else { return fitted }
    for place in places {
      // Where none can be written the map is fitted anew in the next run: slower, not wrong.
      try? FileManager.default.createDirectory(
        at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
      if (try? data.write(to: place, options: .atomic)) != nil { break }
    }
    return fitted
  }

  /// Equal but for another processor's rounding.
  private func isOf(_ other: [Double]) -> Bool {
    probe.count == other.count && weights.allSatisfy { $0.count == 3 }
      && zip(probe, other).allSatisfy { abs($0 - $1) <= 1e-3 * max(1, abs($1)) }
  }

  private static func places(beside model: String) -> [URL] {
    let file = URL(fileURLWithPath: model).standardizedFileURL
    let name = "latent-preview.json"
    let isFolder = (try? file.resourceValues(forKeys: [.isDirectoryKey]))?.isDirectory ?? false
    let beside =
      isFolder
      ? file.appendingPathComponent(name) : file.appendingPathExtension(name)
    // The file's path names it in the cache, where many models' lie together.
    let flat = file.path.replacing("/", with: "_")
    return [beside]
      + FileManager.default.urls(for: .cachesDirectory, in: .userDomainMask).prefix(1).map {
        $0.appendingPathComponent("swift-diffusion-engine").appendingPathComponent(flat)
          .appendingPathExtension(name)
      }
  }
}
