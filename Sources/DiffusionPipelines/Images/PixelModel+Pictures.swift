import DiffusionImages
import DiffusionModels
import TensorCore

extension PixelModel {
  /// 8-bit pictures of one size as samples `[count, height, width, channels]`: 0 is -1, 255 is 1.
  public static func samples(of images: [Image]) -> Tensor {
    guard let first = images.first else { misuse("samples(of:)", "no pictures: give one or more") }
    require(
      images.allSatisfy {
        ($0.width, $0.height, $0.channels) == (first.width, first.height, first.channels)
      }, "samples(of:)", "pictures of several sizes: bring them to one")
    return Tensor(
      images.flatMap { $0.samples.map { Float($0) / 255 * 2 - 1 } },
      shape: [images.count, first.height, first.width, first.channels])
  }
}
