using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using ImageApi.Origins.Outbound;

namespace ImageApi.Origins.S3;

/// <summary>Turns what the S3 client throws into an <see cref="OriginException"/>. Messages of the server are not repeated: they name keys.</summary>
internal static class S3Failures
{
    public static OriginException From(Exception exception) => exception switch
    {
        OriginException origin => origin,
        AmazonS3Exception { ErrorCode: "NoSuchBucket" } => new OriginException(OriginFailure.Refused, "The origin has no such bucket.", exception),
        AmazonS3Exception { StatusCode: HttpStatusCode.PreconditionFailed } => new OriginException(OriginFailure.Changed, "The object is not the version that was asked for.", exception),
        AmazonS3Exception { StatusCode: HttpStatusCode.NotFound } => new OriginException(OriginFailure.Absent, "The object is gone.", exception),
        AmazonS3Exception { StatusCode: var status and not 0 } => new OriginException(
            OriginFailures.From(status) ?? OriginFailure.Unreachable, $"The origin answered with status {(int)status}.", exception),
        AmazonUnmarshallingException => new OriginException(OriginFailure.Unreachable, "The origin's answer is not what S3 answers.", exception),
        _ => OriginFailures.From(exception),
    };
}
