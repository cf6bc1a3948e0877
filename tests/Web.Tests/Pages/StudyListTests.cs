using System.Net;
using System.Text.RegularExpressions;
using Web.Tests.Support;

namespace Web.Tests.Pages;

/// <summary>The list as a plain HTTP client sees it: no script runs here.</summary>
[Collection(StackCollection.Name)]
public sealed class StudyListTests(StackFixture stack)
{
    private const int PageSize = 50;

    [Fact]
    public async Task Get_List_HasTheFirstPageNewestFirst()
    {
        var page = await GetAsync("/");

        Assert.Equal(PageSize, Rows(page).Count);
        Assert.Contains(">2026-11-18<", page);
        Assert.Contains("TESTHEAD, CASEY", page);
        var dates = Regex.Matches(page, "<time datetime=\"([0-9-]+)\"").Select(match => match.Groups[1].Value).ToList();
        Assert.Equal(dates.OrderDescending(), dates);
    }

    [Fact]
    public async Task Get_SecondPage_HasTheRestAndTheTotal()
    {
        var first = await GetAsync("/");
        var second = await GetAsync("/?page=2");

        Assert.Empty(Rows(first).Intersect(Rows(second)));
        Assert.Matches(@"51–\d\d of \d\d studies", WebUtility.HtmlDecode(second));
    }

    [Fact]
    public async Task Get_PageBeyondTheLast_ShowsTheLast()
    {
        var page = await GetAsync("/?page=900");

        Assert.Contains("Page 2 of 2", page);
        Assert.NotEmpty(Rows(page));
    }

    [Fact]
    public async Task Get_List_HasThumbnailsOfEachStudysSeries_WithPlaceAndAddress()
    {
        var page = await SearchAsync(("text", "testhead"));

        var thumbnails = Regex.Matches(page, "<img class=\"thumb\"[^>]*>").Select(static match => WebUtility.HtmlDecode(match.Value)).ToList();
        Assert.Equal(2, thumbnails.Count); // the study has two series
        Assert.All(thumbnails, static image => Assert.Matches("width=\"40\" height=\"40\" alt.*loading=\"lazy\"", image));
        using var http = new HttpClient();
        foreach (var image in thumbnails)
        {
            using var answer = await http.GetAsync(Regex.Match(image, "src=\"([^\"]+)\"").Groups[1].Value);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.StartsWith("image/", answer.Content.Headers.ContentType?.MediaType);
        }
    }

    [Theory]
    [InlineData("testhead")]
    [InlineData("casey test")]
    [InlineData("STACK-0001")]
    [InlineData("ck-00")]
    [InlineData("head, test")]
    [InlineData("TEST*AD")]
    public async Task Post_Words_FindTheStudy(string words)
    {
        var page = await SearchAsync(("text", words));

        Assert.Equal([SyntheticStudies.CtStudy], Rows(page));
    }

    [Fact]
    public async Task Post_AccessionNumber_FindsTheStudy() =>
        Assert.Equal(["1.2.826.0.1.3680043.10.1.779.8"], Rows(await SearchAsync(("text", "acc00007"))));

    [Fact]
    public async Task Post_Description_FindsEveryStudyOfIt() =>
        Assert.Equal(SyntheticStudies.FillerCount / 3, Rows(await SearchAsync(("text", "knee"))).Count);

    [Fact]
    public async Task Post_WordsThatMatchNothing_OffersToClear()
    {
        var page = await SearchAsync(("text", "nobody-of-that-name"));

        Assert.Empty(Rows(page));
        Assert.Contains("No study matches", page);
        Assert.Contains("Clear filters", page);
    }

    [Fact]
    public async Task Post_Markup_IsShownAsText()
    {
        var page = await SearchAsync(("text", "<img src=x onerror=alert(1)>"));

        Assert.DoesNotContain("<img", page);
    }

    [Fact]
    public async Task Post_Search_RedirectsToAnAddressWithoutTheWords()
    {
        using var http = Client();
        using var form = new FormUrlEncodedContent([new("text", "TESTHEAD"), new("modality", "CT")]);

        using var answer = await http.PostAsync("/", form);

        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        var address = answer.Headers.Location!.OriginalString;
        Assert.DoesNotContain("TESTHEAD", address, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("modality=CT", address);
        Assert.Contains("value=\"TESTHEAD\"", await http.GetStringAsync(address));
    }

    [Fact]
    public async Task Get_WordsInTheOpen_AreIgnored() => Assert.DoesNotContain("TESTHEAD\"", await GetAsync("/?text=TESTHEAD"));

    [Fact]
    public async Task Get_Modality_FiltersAndKeepsTheChoice()
    {
        var page = await GetAsync("/?modality=MR");

        Assert.Equal(SyntheticStudies.FillerCount / 3, Rows(page).Count);
        Assert.Contains("<option value=\"MR\" selected>", page);
    }

    [Fact]
    public async Task Get_DateRange_Filters()
    {
        var page = await GetAsync("/?period=range&from=2026-01-10&to=2026-01-20");

        Assert.Equal(3, Rows(page).Count);
    }

    [Fact]
    public async Task Get_SortedByName_IsOrderedBothWays()
    {
        var rising = Names(await GetAsync("/?sort=name"));
        var falling = Names(await GetAsync("/?sort=name-reversed"));

        Assert.Equal(rising.Order(StringComparer.Ordinal), rising);
        Assert.Equal(falling.OrderDescending(StringComparer.Ordinal), falling);
        Assert.NotEqual(rising[0], falling[0]);
    }

    [Theory]
    [InlineData("patientid")]
    [InlineData("modality")]
    [InlineData("description")]
    [InlineData("accession")]
    [InlineData("date-reversed")]
    public async Task Get_AnyOrder_IsAnswered(string sort) => Assert.Equal(PageSize, Rows(await GetAsync("/?sort=" + sort)).Count);

    [Fact]
    public async Task Get_Fragment_IsTheListAloneWithItsAddress()
    {
        using var http = Client();

        using var answer = await http.GetAsync("/studies?modality=MR&page=1");

        var body = await answer.Content.ReadAsStringAsync();
        Assert.DoesNotContain("<html", body);
        Assert.Equal(SyntheticStudies.FillerCount / 3, Rows(body).Count);
        Assert.Equal("/?modality=MR", answer.Headers.GetValues("X-List-Address").Single());
    }

    [Theory]
    [InlineData("none", "br")]
    [InlineData("same-origin", "br")]
    [InlineData("cross-site", null)]
    public async Task Get_Page_IsCompressedUnlessAnotherSiteAsks(string site, string? coding)
    {
        using var http = Client();
        http.DefaultRequestHeaders.AcceptEncoding.ParseAdd("gzip, br");
        http.DefaultRequestHeaders.Add("Sec-Fetch-Site", site);

        using var answer = await http.GetAsync("/");

        Assert.Equal(coding, answer.Content.Headers.ContentEncoding.SingleOrDefault());
        var length = (await answer.Content.ReadAsByteArrayAsync()).Length;
        Assert.InRange(length, 1000, coding is null ? 100_000 : 12_000);
    }

    [Fact]
    public async Task Post_FormTooLarge_IsRefused()
    {
        using var http = Client();
        using var form = new FormUrlEncodedContent([new("text", new string('x', 200_000))]);

        using var answer = await http.PostAsync("/", form);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
    }

    [Fact]
    public async Task Get_Page_SaysWhatItMayLoad()
    {
        using var http = Client();

        using var answer = await http.GetAsync("/");

        var policy = answer.Headers.GetValues("Content-Security-Policy").Single();
        Assert.DoesNotContain("unsafe-inline", policy);
        Assert.DoesNotContain("'unsafe-eval'", policy);
        Assert.Contains("default-src 'none'", policy);
        Assert.Contains("frame-ancestors 'none'", policy);
        Assert.Contains($"connect-src 'self' {stack.ImageApi.Origin};", policy);
        Assert.Equal("nosniff", answer.Headers.GetValues("X-Content-Type-Options").Single());
        Assert.Equal("no-referrer", answer.Headers.GetValues("Referrer-Policy").Single());
        Assert.Equal("no-cache, private", string.Join(", ", answer.Headers.CacheControl!.ToString().Split(", ").Order()));
    }

    [Fact]
    public async Task Output_AfterSearches_NamesNoPatient()
    {
        await SearchAsync(("text", "TESTHEAD"));
        await GetAsync("/");

        Assert.DoesNotContain("TESTHEAD", stack.Web.Output, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("TESTHEAD", stack.ImageApi.Output, StringComparison.OrdinalIgnoreCase);
    }

    private HttpClient Client() => new(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = stack.Web.Address };

    private async Task<string> GetAsync(string address)
    {
        using var http = Client();
        return WebUtility.HtmlDecode(await http.GetStringAsync(address));
    }

    private async Task<string> SearchAsync(params (string Name, string Value)[] fields)
    {
        using var http = Client();
        using var form = new FormUrlEncodedContent(fields.Select(field => KeyValuePair.Create(field.Name, field.Value)));
        using var answer = await http.PostAsync("/", form);
        return await http.GetStringAsync(answer.Headers.Location);
    }

    private static List<string> Rows(string page) => [.. Regex.Matches(page, "data-study=\"([0-9.]+)\"").Select(match => match.Groups[1].Value)];

    private static List<string> Names(string page) => [.. Regex.Matches(page, "<a class=\"row-link\"[^>]*><bdi>([^<]*)</bdi>").Select(match => match.Groups[1].Value)];
}
